/** Second factors, and what they are asked for. The suites share one service. */
import './second-factors/account-recovery';
import './second-factors/codes';
import './second-factors/enrollment';
import './second-factors/login';
import './second-factors/passkeys';
import './second-factors/policy';
import './second-factors/remembered-devices';
