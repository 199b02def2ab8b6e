/** What people do with their account. The suites share one service. */
import './accounts/access';
import './accounts/email-change';
import './accounts/http-client';
import './accounts/password-reset';
import './accounts/phone-change';
import './accounts/profile';
