"""What comes back from outside without a key: recipients who follow the links of their messages."""
