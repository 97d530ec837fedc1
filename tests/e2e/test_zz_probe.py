import asyncio
from collections import Counter
from tests.support.live import *
from tests.support.moments import *

async def test_same_instant_flip_and_delay(sandbox):
    await sandbox.define(segment("fresh", attribute("trial_started", {"ago": "P1D"}, "after")),
        campaign("c", on_match({"segment": "fresh"}), "pause", {"pause": delay("P1D", "mail"), "mail": email("x")}),
        campaign("d", on_match(attribute("trial_started", {"ago": "P1D"}, "after")), "pause", {"pause": delay("P1D", "mail"), "mail": email("y")}),
        campaign("e", on_event("order"), "pause", {"pause": delay("P1D", "ask"), "ask": {"type": "true_false", "conditions": {"segment": "fresh"}, "then": "mail"}, "mail": email("z")}),
    )
    for c in "cde": await sandbox.start(c)
    async def one(n):
        await sandbox.identify(f"p{n}", email=f"p{n}@example.com", trial_started=START)
        await sandbox.track(f"p{n}", "order")
    await asyncio.gather(*(one(n) for n in range(30)))
    await sandbox.settle()
    r = await sandbox.advance("P2D")
    print(r)
    for c in "cde":
        js = (await sandbox.get("/v1/journeys", campaign=c, limit=100))["journeys"]
        print(c, Counter((j["state"], j["reason"]) for j in js))
    print(Counter(m["rendered"]["fields"]["subject"] for m in (await sandbox.get("/v1/mailbox", limit=100))["messages"]))
    assert 0
