import time, asyncio
from tests.workflows.engine import Engine, until
from tests.workflows.recording import MAIL, delay
from services.repair import repair
async def test_it():
    t=time.monotonic()
    def p(x):
        nonlocal t
        n=time.monotonic(); print(f"{x}: {n-t:.2f}"); t=n
    async with Engine.running() as engine, engine.working() as keeper:
            flow = await engine.workspace()
            await flow.campaign({"mail": MAIL}, start="mail")
            N=300
            for i in range(N): await flow.identify(f"p{i}", email=f"p{i}@example.com")
            await flow.settle()
            p("people")
            for i in range(N): await flow.track(f"p{i}")
            p("tracked")
            await flow.settle(); p(f"{N} journeys")
            other = await engine.workspace()
            await other.campaign({"wait": delay("P1D")}, start="wait")
            for i in range(N): await other.track(f"p{i}")
            await other.settle(); p(f"{N} waiting")
            print(await repair(engine.db, engine.gateway)); p("repair")
            await other.advance("P1D"); p("woken+ended")
