"""Controllers: each watches, and makes the API say what ought to be. One module per controller.

All run on the loop in ``loop.py``: informers in, ``reconcile(key)`` out, by level and idempotent.
What one decides is a pure function beside it or in ``podium.domain``.
"""
