from tests.attacks import world as w
def test_x(session, world):
    import time
    t=time.time()
    s = w.to_scoring(session, world)
    for v in world.site.experts:
        w.sealed_sheet(session, s, v)
    print(time.time()-t)
