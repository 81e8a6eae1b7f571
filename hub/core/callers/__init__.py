"""Who is calling, and what their token says."""
