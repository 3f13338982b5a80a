"""The volumes of Pods: what they hold is decided in ``podium.domain.pods.volume_files``."""
