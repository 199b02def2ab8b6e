import type { Locale } from '../../contracts/locale';

const MINUTE_MS = 60_000;
const MINUTES_PER_HOUR = 60;
/** A mail that leaves a little late still says 24 hours, not 23. */
const GRACE_MINUTES = 5;

/** From here on people count in days. */
const MIN_DAYS = 4;
const HOURS_PER_DAY = 24;

type Unit = 'days' | 'hours' | 'minutes';
const AMHARIC: Record<Unit, readonly [one: string, many: string]> = {
  days: ['ቀን', 'ቀናት'],
  hours: ['ሰዓት', 'ሰዓታት'],
  minutes: ['ደቂቃ', 'ደቂቃዎች'],
};

const PHRASES: Record<Locale, (count: number, unit: Unit) => string> = {
  en: (count, unit) => `${String(count)} ${count === 1 ? unit.slice(0, -1) : unit}`,
  am: (count, unit) => {
    const [one, many] = AMHARIC[unit];
    return `${String(count)} ${count === 1 ? one : many}`;
  },
};

/** `14 days`, `24 hours`, `1 hour`, `20 minutes`: whole units, rounded down, at least one minute. */
export const timeSpan = (milliseconds: number, locale: Locale): string => {
  const minutes = Math.max(1, Math.floor(milliseconds / MINUTE_MS));
  const hours = Math.floor((minutes + GRACE_MINUTES) / MINUTES_PER_HOUR);
  if (hours >= MIN_DAYS * HOURS_PER_DAY) return PHRASES[locale](Math.floor(hours / HOURS_PER_DAY), 'days');
  return hours >= 1 ? PHRASES[locale](hours, 'hours') : PHRASES[locale](minutes, 'minutes');
};
