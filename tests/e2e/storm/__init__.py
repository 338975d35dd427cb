"""A randomised crash test with the real processes, replayed by its seed.

Leaders post, edit and withdraw over HTTP while web, qcluster and the bots are killed (-9), Discord
fails in all its ways and the gateway breaks. Then the weather clears, and each channel must show
exactly what was last wanted, once.

The seed decides the plan: who does what and when, what is killed when, how Discord fails. It does
not decide how fast this machine is, nor which request is in flight when a kill comes: a replay
does the same things to the system at the same moments, and may still end differently.
"""
