/** The score of a class that a head has not selected for a row: its probability is 0 in float32. */
export const UNSELECTED = -1000;
/** Scores up to this are of classes that were not selected. */
export const NOT_ABOVE = -500;
