"""SPDY/3.1 as far as Kubernetes' streams (exec, attach, port-forward) speak it, without any I/O.

``frames`` turns frames into bytes and back, ``connection`` keeps the streams of one connection.
As ``moby/spdystream``, the other end of most connections, neither counts windows: a WINDOW_UPDATE
is read and means nothing, and what holds a sender back is TCP alone.

https://www.chromium.org/spdy/spdy-protocol/spdy-protocol-draft3-1/
"""
