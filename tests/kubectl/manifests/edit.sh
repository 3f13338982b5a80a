#!/bin/sh
# An editor that changes what the object's name tells it to.
exec sed -i "$(cat "${1%.yaml}.sed" 2>/dev/null || echo 's/x: "1"/x: "edited"/')" "$1"
