"""The daemon: keeps every plan's pass coming, and answers whoever asks for one.

It only decides *when*: timers, watched files and requests put plan names on the queue, workers take them off and
run ``cycle``. Threads: one control thread (the caller of ``Daemon.run``), the workers, one watcher per watched
tree, the scheduler, and one that receives signals. Read ``daemon`` first; ``app`` says what it is given.
"""
