"""Strength of evidence: scores to likelihood ratios, where recordings of known history have earned them.

    propositions   the pairs, and which question's score bears on which
    measures       Cllr with its parts, PAV, ECE, Tippett, misleading evidence
    fusion         regularised logistic regression of one pair's scores, cross-fitted
    bounds         how far so few recordings let a ratio go (ELUB)
    envelope       the conditions that the recordings had
    scale          an interval of LR in words
    file           the frozen file
    applying       a case's findings weighed by a file that the analyst named

Learning is ``forensics validate``'s. Without ``--calibration`` no ratio is given: "uncalibrated: descriptive only".
Reference: Morrison et al. 2021, Science and Justice 61 (consensus on validation).
Not to be trusted: for recordings unlike those of the table. The calibration that is shipped demonstrates the method.
"""
