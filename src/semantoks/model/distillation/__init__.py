"""Student, teacher and the losses between them."""
