"""Names for object types that a call brought into being, until somebody gives them a better one (PPL-24)."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Final, NamedTuple


class Animal(NamedTuple):
    """One animal and several of them."""

    one: str
    many: str


ANIMALS: Final = (
    Animal("otter", "otters"),
    Animal("badger", "badgers"),
    Animal("beaver", "beavers"),
    Animal("heron", "herons"),
    Animal("falcon", "falcons"),
    Animal("lynx", "lynxes"),
    Animal("marten", "martens"),
    Animal("hedgehog", "hedgehogs"),
    Animal("squirrel", "squirrels"),
    Animal("wolf", "wolves"),
    Animal("bear", "bears"),
    Animal("owl", "owls"),
    Animal("raven", "ravens"),
    Animal("magpie", "magpies"),
    Animal("kingfisher", "kingfishers"),
    Animal("swallow", "swallows"),
    Animal("stork", "storks"),
    Animal("crane", "cranes"),
    Animal("robin", "robins"),
    Animal("finch", "finches"),
    Animal("wren", "wrens"),
    Animal("sparrow", "sparrows"),
    Animal("lark", "larks"),
    Animal("puffin", "puffins"),
    Animal("seal", "seals"),
    Animal("walrus", "walruses"),
    Animal("dolphin", "dolphins"),
    Animal("whale", "whales"),
    Animal("porpoise", "porpoises"),
    Animal("perch", "perches"),
    Animal("eel", "eels"),
    Animal("turtle", "turtles"),
    Animal("tortoise", "tortoises"),
    Animal("gecko", "geckos"),
    Animal("newt", "newts"),
    Animal("toad", "toads"),
    Animal("frog", "frogs"),
    Animal("salamander", "salamanders"),
    Animal("bee", "bees"),
    Animal("wasp", "wasps"),
    Animal("ant", "ants"),
    Animal("beetle", "beetles"),
    Animal("cricket", "crickets"),
    Animal("moth", "moths"),
    Animal("firefly", "fireflies"),
    Animal("dragonfly", "dragonflies"),
    Animal("ladybird", "ladybirds"),
    Animal("snail", "snails"),
    Animal("crab", "crabs"),
    Animal("lobster", "lobsters"),
    Animal("octopus", "octopuses"),
    Animal("hare", "hares"),
    Animal("rabbit", "rabbits"),
    Animal("camel", "camels"),
    Animal("llama", "llamas"),
    Animal("alpaca", "alpacas"),
    Animal("giraffe", "giraffes"),
    Animal("zebra", "zebras"),
    Animal("gazelle", "gazelles"),
    Animal("antelope", "antelopes"),
    Animal("koala", "koalas"),
    Animal("wombat", "wombats"),
    Animal("panda", "pandas"),
    Animal("tiger", "tigers"),
    Animal("leopard", "leopards"),
)


def animal_for(number: int, taken: AbstractSet[str]) -> Animal:
    """An animal none of whose words is taken; which one depends on the number. Once all are, they are numbered."""
    for place in range(len(ANIMALS)):
        animal = ANIMALS[(number - 1 + place) % len(ANIMALS)]
        if taken.isdisjoint(animal):
            return animal
    one, many = ANIMALS[(number - 1) % len(ANIMALS)]
    return Animal(f"{one}_{number}", f"{many}_{number}")


__all__ = ["ANIMALS", "Animal", "animal_for"]
