"""What a transactional call may say: read, checked in the order of CHN-13, refused in the vendor's words."""
