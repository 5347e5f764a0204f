"""Scenario tests: the real binary between a raw client and a scripted backend, all on loopback.

`Gateway` starts the binary with a configuration, `backends` are peers named by how they misbehave, `Client` sends and
reads exact bytes. Nothing here waits by sleeping: everything is awaited as a condition with a bound.
"""
