"""The API described for machines: ``/openapi/v2`` and ``/openapi/v3``.

Made from the scheme (paths) and the published definitions beside the types (schemas), when first
asked for. ``schemas`` and ``operations`` are pure, ``documents`` puts together, ``serving``
answers.
"""
