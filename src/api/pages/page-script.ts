export interface PageTexts {
  readonly en: Readonly<Record<string, string>>;
  readonly am: Readonly<Record<string, string>>;
}

/** What pages tell in the same words. */
const COMMON: PageTexts = {
  en: {
    busy: 'One moment …',
    rate_limited: 'There were too many tries. Please wait a moment and try again.',
    incomplete: 'This link is not complete. Please open it again from the mail.',
    offline: 'The service cannot be reached. Please check your connection and try again.',
    other: 'Something went wrong on our side. Please try again shortly.',
  },
  am: {
    busy: 'አንድ አፍታ …',
    rate_limited: 'ብዙ ሙከራዎች ተደርገዋል። እባክዎ ትንሽ ጠብቀው እንደገና ይሞክሩ።',
    incomplete: 'ይህ ማስፈንጠሪያ ሙሉ አይደለም። እባክዎ ከኢሜይሉ እንደገና ይክፈቱት።',
    offline: 'አገልግሎቱ ሊደረስበት አልቻለም። እባክዎ ግንኙነትዎን አረጋግጠው እንደገና ይሞክሩ።',
    other: 'በእኛ በኩል ችግር ተፈጥሯል። እባክዎ ከጥቂት ጊዜ በኋላ እንደገና ይሞክሩ።',
  },
};

const PRELUDE = `const language = /^am\\b/i.test(navigator.language) ? 'am' : 'en';
const texts = TEXTS[language];
const element = (id) => document.getElementById(id);
const result = element('result');
document.documentElement.lang = language;
document.title = texts.title;
`;

/**
 * The script of a page, which runs in the browser and tells everything in its language.
 *
 * @param own texts; of one name it is they that are told, and not the common ones
 * @param body may use `language`, `texts`, `element` (by its id) and `result`, the element that tells how it went
 */
export const pageScript = (own: PageTexts, body: string): string => `'use strict';
const TEXTS = ${JSON.stringify({ en: { ...COMMON.en, ...own.en }, am: { ...COMMON.am, ...own.am } })};
${PRELUDE}${body}`;
