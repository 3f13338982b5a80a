"""What an object is: types, codec, defaults, validation, patches, errors. Pure."""
