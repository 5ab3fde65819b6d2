"""Control: policy, labels and campaigns followed by every worker, and the operators' side of them."""
