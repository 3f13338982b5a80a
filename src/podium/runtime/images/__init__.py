"""Images: names, the store on disk, archives, registries.

Here belongs what turns a name or a file into an image's configuration and the directories of its
layers (OCI image and distribution specifications). What is done with those directories (mounts,
containers) belongs to ``podium.runtime.oci``; when to pull and what to tell the user, to the
kubelet.

``service`` is the door; below it stand ``distribution`` (registries) and ``archive`` (files), which
fill the ``store`` through ``layers`` and ``tree``.
"""
