"""From the world to the proxies: who is there, what each should have, what a change concerns.

    proxies.py          a session of the control channel, as generators and the model know it
    registrations.py    the workloads that proxies have registered: kept over a restart, gone with their proxies
    encodings.py        outputs as they travel, made once for all who get them
    versions.py         the numbers of updates, and whom each concerns
    pusher.py           one world after the other, and what of it each proxy is sent
    followed.py         manifests as they stand in the store, followed
    observed.py         what they do and should have, for the API
    progress.py         how far changes have come, and what proxies would be sent, were a change made
"""
