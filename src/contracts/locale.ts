import { z } from 'zod';

/** Languages that people are written to in: English and Amharic. */
export const localeSchema = z.enum(['en', 'am']);
export type Locale = z.output<typeof localeSchema>;
export const DEFAULT_LOCALE: Locale = 'en';
