"""``litefake web``: judge a clip in the browser or over HTTP, on this machine alone.

An upload meets four walls, outermost first: ``gate`` (what may be asked for, by whom, and how
much may be sent), ``service`` (who waits and for how long), ``process`` (a process of its own a
job, killed when its time is up) and ``worker`` (that process: the only one that opens the clip).
Gradio is imported by ``page`` alone.
"""
