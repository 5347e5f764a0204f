// Placeholder until the public face lands.
