"""Re-identify: recognise the person in a head scan from photographs."""
