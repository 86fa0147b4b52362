"""The four beams: what every pillar stands on."""
