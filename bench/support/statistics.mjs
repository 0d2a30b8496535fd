export const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

export const quantile = (values, q) =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))];

/**
 * The 0.975 quantile of Student's t distribution for 1 to 30 degrees of freedom, from the NIST/SEMATECH
 * e-Handbook of Statistical Methods, section 1.3.6.7.2.
 */
const T_QUANTILES = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145,
  2.131, 2.12, 2.11, 2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048,
  2.045, 2.042,
];
/** The same quantile of the normal distribution. */
const NORMAL_QUANTILE = 1.959964;

/** Half the width of a two-sided 95 % interval, in standard errors. */
export function tQuantile(degreesOfFreedom) {
  const known = T_QUANTILES[degreesOfFreedom - 1];
  if (known !== undefined) return known;
  // Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.5; exact to 0.0001 from 31 on.
  const z = NORMAL_QUANTILE;
  const first = (z ** 3 + z) / 4;
  const second = (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96;
  return z + first / degreesOfFreedom + second / degreesOfFreedom ** 2;
}

/**
 * The ratio of two paired series of positive values: the geometric mean of the pairs' ratios, with its
 * 95 % confidence interval (Student's t on the logarithms). It needs two pairs at least.
 */
export function pairedRatio(numerators, denominators) {
  const logs = numerators.map((value, pair) => Math.log(value / denominators[pair]));
  if (logs.length < 2 || !logs.every(Number.isFinite))
    throw new Error('a paired ratio needs two or more pairs of positive values');
  const mean = logs.reduce((sum, log) => sum + log, 0) / logs.length;
  const variance = logs.reduce((sum, log) => sum + (log - mean) ** 2, 0) / (logs.length - 1);
  const margin = tQuantile(logs.length - 1) * Math.sqrt(variance / logs.length);
  return { ratio: Math.exp(mean), low: Math.exp(mean - margin), high: Math.exp(mean + margin) };
}

/**
 * The order in which the sides 0 and 1 take the rounds of a pair: 01, 10, 01 … A machine that becomes
 * steadily faster or slower then favours neither of them.
 */
export const orderOf = (pair) => (pair % 2 === 0 ? [0, 1] : [1, 0]);
