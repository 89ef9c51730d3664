"""How the control plane bears a large mesh: a real ``hopmesh control-plane``, and proxies that are light or real.

    plan.py         a mesh by numbers: which proxy serves and dials what
    light_proxy.py  a proxy without a data path: it speaks the control channel and says yes
    fleet.py        many of them in this process, and how long endpoint changes take to reach them
    plane.py        the control plane, as a process of its own
    sidecars.py     real proxies and the origins behind them
    scale.py        1,000 proxies under changes; resync after a kill      effect.py  changes to effect in 3 real proxies
    growth.py       what a change costs as the mesh grows                 outcome.py figures, bars, JSON, picture
"""
