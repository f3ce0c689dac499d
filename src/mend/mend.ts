// Broken text of manifests becomes text that can be read, by edits that are proven; what they mean is for lint.
