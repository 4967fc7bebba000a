"""What ``QuestionAnswerer`` consists of: examples, labels, spans, and the graph that answers."""
