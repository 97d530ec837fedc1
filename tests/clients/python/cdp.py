"""Every method of the Pipelines client, queued, in sync mode and zipped; a line of JSON about each step."""

import json
import sys
import traceback
from datetime import UTC, datetime, timedelta

from customerio.analytics import Client, request

GIVEN = json.load(sys.stdin)
SITE = f"https://{GIVEN['host']}:{GIVEN['port']}"
EARLIER = datetime.now(UTC) - timedelta(hours=1)  # noqa: TID251 - as a caller in real time says it


def step(name, act):
    try:
        outcome = {"answer": act()}
    except Exception as error:  # noqa: BLE001 - whatever the client raises is what is looked at
        outcome = {"error": told(error)}
    sys.stdout.write(json.dumps({"step": name, **outcome}) + "\n")


def told(error):
    given = {field: getattr(error, field) for field in ("status", "code") if hasattr(error, field)}
    text = "".join(traceback.format_exception_only(error)).strip()
    return {"name": type(error).__name__, "message": getattr(error, "message", text), **given}


def client(**options):
    return Client(**{"write_key": GIVEN["write_key"], "host": SITE, "sync_mode": True, **options})


def taken(answer):
    success, message = answer
    return {"success": success, "type": message["type"]}


def everything(made, who):
    """Each method, about `who` and what is theirs."""
    old, near = f"{who}-old", {"ip": "0.0.0.0"}
    hat = {"total": 23.5, "on": datetime(2026, 1, 1, tzinfo=UTC)}
    person = {"email": f"{who}@example.com", "firstName": "Žofie", "born": "2019-02-01", "plan": {"seats": 2}}
    group = {"name": "Acme", "objectTypeId": 1, "relationshipAttributes": {"role": "owner"}}
    yield "identify", made.identify(who, person)
    yield "identify the old one", made.identify(old, {"city": "Rome"})
    yield "track", made.track(who, "order", hat, context=near, timestamp=EARLIER)
    yield "page", made.page(who, "shop", "Hats", {"url": "https://example.com/hats"})
    yield "screen", made.screen(who, "shop", "Cart", {"items": 2})
    yield "group", made.group(who, f"{who}-acme", group)
    yield "alias", made.alias(old, who)
    yield "track anonymously", made.track(event="looked", anonymous_id=f"{who}-anon")
    yield "bind", made.identify(who, {}, anonymous_id=f"{who}-anon")
    yield "track once", made.track(who, "once", message_id=f"{who}-m")
    yield "track once more", made.track(who, "once", message_id=f"{who}-m")
    yield "elsewhere only", made.track(who, "elsewhere", integrations={"All": False})
    yield (
        "an instruction",
        made.track(who, "Device Created or Updated", context={"device": {"token": who, "type": "ios"}}),
    )


def queued(who, **options):
    """Everything through the queue; what `on_error` was told."""
    failed = []
    made = client(sync_mode=False, on_error=lambda error, batch: failed.append([told(error), len(batch)]), **options)
    steps = {name: taken(answer) for name, answer in everything(made, who)}
    made.flush()
    made.shutdown()
    return {"steps": steps, "failed": failed}


def strict(act):
    """As somebody who asks for strictness in a header, which the client leaves to its session."""
    request._session.headers["X-Strict-Mode"] = "1"
    try:
        return act()
    finally:
        del request._session.headers["X-Strict-Mode"]


def failing(calls, **options):
    """What `on_error` is told of a queued call."""
    failed = []
    made = client(sync_mode=False, on_error=lambda error, batch: failed.append([told(error), len(batch)]), **options)
    for call in calls:
        call(made)
    made.flush()
    made.shutdown()
    return failed


def sync(who):
    made = client()
    return {name: taken(answer) for name, answer in everything(made, who)}


def event(made):
    made.track("7", "strange")


def nameless(made):
    made.track("7", "")


step("sync", lambda: sync("ann"))
step("queued", lambda: queued("ben"))
step("zipped", lambda: queued("cy", gzip=True, upload_size=4))
step("sync strict", lambda: strict(lambda: taken(client().track("dee", "kept"))))
step("wrong key", lambda: taken(client(write_key="wrong").track("7", "strange")))
step("strict, wrong key", lambda: strict(lambda: client(write_key="wrong").track("7", "strange")))
step("strict, wrong key, queued", lambda: strict(lambda: failing([event], write_key="wrong")))
step("nameless", lambda: failing([nameless]))
step("strict, nameless", lambda: strict(lambda: failing([event, nameless])))
step("nobody listens", lambda: failing([event], host=f"https://{GIVEN['host']}:{GIVEN['closed_port']}", max_retries=0))
step("without an id", lambda: client().track(event="strange"))
