import { type MailTemplate, note, paragraph } from './content';

/** After an assertion whose sign count had been used: somebody may have a copy of the passkey. It was refused. */
export const passkeySuspected: MailTemplate<Record<string, never>> = {
  en: () => ({
    subject: 'We refused a passkey of your Meqenet account',
    greeting: 'Hello,',
    blocks: [
      paragraph(
        'One of your passkeys was shown to us in a way that may mean that somebody has a copy of it. We refused it.',
      ),
      paragraph('Log in on your own device, remove the passkey and set a new one up.'),
      paragraph('If you did not try to log in just now, tell our customer service.'),
      note('Never give your password, a code or a recovery code to anyone. Our staff will never ask you for them.'),
    ],
  }),
  am: () => ({
    subject: 'የመቀነት መለያዎን አንድ የይለፍ ቁልፍ አልተቀበልንም',
    greeting: 'ሰላም፣',
    blocks: [
      paragraph('ከይለፍ ቁልፎችዎ (passkeys) አንዱ፣ ሌላ ሰው ቅጂው ሊኖረው እንደሚችል በሚያሳይ መንገድ ቀርቦልናል። ስለዚህ አልተቀበልነውም።'),
      paragraph('በራስዎ መሣሪያ ይግቡ፣ የይለፍ ቁልፉን ያስወግዱ እና አዲስ ያዘጋጁ።'),
      paragraph('አሁን ለመግባት የሞከሩት እርስዎ ካልሆኑ ለደንበኞች አገልግሎታችን ያሳውቁ።'),
      note('የይለፍ ቃልዎን፣ ኮድ ወይም የመጠባበቂያ ኮድ ለማንም አይስጡ። ሠራተኞቻችን እነዚህን በጭራሽ አይጠይቁዎትም።'),
    ],
  }),
};
