"""Streams of the kubelet's door: exec, attach and port-forward over SPDY/3.1 and WebSocket.

``command`` moves bytes between a process and a peer, ``ports`` between connections and a Pod;
``spdy`` and ``websocket`` are the two kinds of peers, ``protocol`` what both agree on beforehand.
Follows ``k8s.io/kubelet/pkg/cri/streaming`` and ``k8s.io/apimachinery/pkg/util/remotecommand``.
"""
