"""What Keras's ``fit`` lacks: callbacks, optimizers, schedules, precision."""
