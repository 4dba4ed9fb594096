/** Time left at the pace so far, once it can be told: after three seconds and a twentieth of the way. */
export const timeLeft = (seconds: number, done: number): string => {
  if (seconds < 3 || done < 0.05 || done >= 1) return '';
  const left = (seconds * (1 - done)) / done;
  if (left < 90) return `about ${Math.max(1, Math.round(left))} s left`;
  return left < 5400 ? `about ${Math.round(left / 60)} min left` : `about ${(left / 3600).toFixed(1)} h left`;
};
