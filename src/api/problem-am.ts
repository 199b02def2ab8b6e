import type { ErrorCode } from '../contracts/errors';

/** What each error says in Amharic. An error without a sentence here is told in English. */
export const AMHARIC_DETAILS: Readonly<Partial<Record<ErrorCode, string>>> = {
  malformed_json: 'የተላከው መረጃ ትክክለኛ JSON አይደለም።',
  validation_failed: 'ጥያቄው የሚጠበቀው ቅርጽ የለውም።',
  invalid_idempotency_key: 'የIdempotency-Key ቅርጽ ትክክል አይደለም።',
  invalid_credentials: 'የመግቢያ መረጃው ትክክል አይደለም።',
  invalid_token: 'የመግቢያ ፈቃዱ የለም፣ ትክክል አይደለም ወይም ጊዜው አልፏል።',
  invalid_refresh_token: 'የማደሻ ፈቃዱ ትክክል አይደለም ወይም ከዚህ በኋላ አይሠራም።',
  verification_required: 'መጀመሪያ የኢሜይል አድራሻው መረጋገጥ አለበት።',
  account_locked: 'መለያው ተቆልፏል።',
  not_found: 'በዚህ አድራሻ ምንም የለም።',
  registration_not_found: 'እንዲህ ያለ ምዝገባ የለም።',
  session_not_found: 'እንዲህ ያለ የመግቢያ ክፍለ ጊዜ የለዎትም።',
  method_not_allowed: 'ይህ ዘዴ እዚህ አይፈቀድም።',
  request_timeout: 'ጥያቄው ለመድረስ ረጅም ጊዜ ወስዷል።',
  registration_completed: 'ምዝገባው ተጠናቋል።',
  idempotency_in_flight: 'በዚህ Idempotency-Key የተላከው የመጀመሪያው ጥያቄ ገና እየተሠራ ነው፤ ከጥቂት ጊዜ በኋላ እንደገና ይሞክሩ።',
  registration_expired: 'የምዝገባው ጊዜ አልፏል።',
  payload_too_large: 'የተላከው መረጃ በጣም ትልቅ ነው።',
  unsupported_media_type: 'የተላከው የመረጃ ዓይነት አይደገፍም።',
  invalid_code: 'ኮዱ ትክክል አይደለም ወይም ከዚህ በኋላ አይሠራም።',
  idempotency_key_reused: 'ይህ Idempotency-Key ለሌላ ጥያቄ አገልግሏል።',
  rate_limited: 'ብዙ ጥያቄዎች ተልከዋል፤ ከጥቂት ጊዜ በኋላ እንደገና ይሞክሩ።',
  login_delayed: 'ብዙ ጊዜ ያልተሳካ የመግቢያ ሙከራ ተደርጓል፤ ከጥቂት ጊዜ በኋላ እንደገና ይሞክሩ።',
  too_many_attempts: 'ብዙ ጊዜ የተሳሳተ ኮድ ገብቷል፤ አዲስ ኮድ ይጠይቁ።',
  resend_too_soon: 'ኮድ የተላከው ከአንድ ደቂቃ በፊት ባነሰ ጊዜ ነው።',
  resend_limit_reached: 'ለዚህ ምዝገባ ተጨማሪ ኮድ መላክ አይቻልም።',
  internal_error: 'በእኛ በኩል ችግር ተፈጥሯል።',
  overloaded: 'አገልግሎቱ ተጨናንቋል፤ ከጥቂት ጊዜ በኋላ እንደገና ይሞክሩ።',
  service_unavailable: 'አገልግሎቱ ይህን አሁን ማድረግ አይችልም፤ ከጥቂት ጊዜ በኋላ እንደገና ይሞክሩ።',
};

/** What is wrong with a field, by the code of the field error. */
export const AMHARIC_FIELD_MESSAGES: Readonly<Record<string, string>> = {
  invalid_type: 'የለም ወይም ዓይነቱ ትክክል አይደለም',
  invalid_value: 'ከሚፈቀዱት እሴቶች አንዱ አይደለም',
  invalid_format: 'ቅርጹ ትክክል አይደለም',
  too_small: 'በጣም አጭር ወይም ትንሽ ነው',
  too_big: 'በጣም ረጅም ወይም ትልቅ ነው',
  custom: 'ትክክል አይደለም',
  unrecognized_key: 'የማይታወቅ መስክ ነው',
  password_too_common: 'በብዛት ከሚሞከሩ የይለፍ ቃላት አንዱ ነው',
  password_too_simple: 'ተመሳሳይ ፊደላትን ይደጋግማል',
  password_personal: 'ከእርስዎ የግል መረጃ የተሠራ ነው',
};
