"""Objects as text: tables, YAML, JSONPath, templates. Pure: values in, text out."""
