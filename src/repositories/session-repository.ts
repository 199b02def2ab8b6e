import { v7 as uuidv7 } from 'uuid';

import type { Role } from '../contracts/session';
import type { SessionEnd } from '../generated/prisma/client';

import type { Database } from './prisma-client';

type Hash = Uint8Array<ArrayBuffer>;

/** A login as its tokens tell it. */
export interface Session {
  readonly id: string;
  readonly userId: string;
  readonly roles: readonly Role[];
  readonly acr: string;
  readonly amr: readonly string[];
  readonly authTime: Date;
  readonly expiresAt: Date;
}

export interface NewSession {
  readonly userId: string;
  readonly acr: string;
  readonly amr: readonly string[];
  readonly expiresAt: Date;
  readonly refreshTokenHash: Hash;
  readonly refreshTokenExpiresAt: Date;
}

export interface Rotation {
  readonly predecessor: Hash;
  readonly successor: Hash;
  /** The successor expires when it is not used for so long, milliseconds, and with the session in any case. */
  readonly idleExpiresInMs: number;
  /** A predecessor may be shown again for so long after its use, milliseconds. */
  readonly graceMs: number;
}

export type RotationOutcome =
  | { readonly outcome: 'rotated'; readonly session: Session; readonly successorExpiresAt: Date }
  /** Unknown, expired, or of a session that has ended. */
  | { readonly outcome: 'refused' }
  /** Used before, and not just now: the family has been ended. */
  | { readonly outcome: 'reused'; readonly sessionId: string };

export interface SessionRepository {
  create(session: NewSession): Promise<Session>;
  /** Exchanges a refresh token for its successor, exactly once however many ask at the same time. */
  rotate(rotation: Rotation): Promise<RotationOutcome>;
  /** False where there is no such live session of this user. */
  end(sessionId: string, userId: string, reason: SessionEnd): Promise<boolean>;
  endAll(userId: string, reason: SessionEnd): Promise<number>;
  /** The session if it lives and its account may use it. */
  findLive(sessionId: string): Promise<Session | undefined>;
}

const SESSION_FIELDS = {
  id: true,
  userId: true,
  acr: true,
  amr: true,
  authTime: true,
  expiresAt: true,
  endedAt: true,
  user: { select: { status: true, roles: { select: { role: true } } } },
} as const;

interface SessionRow extends Omit<Session, 'roles'> {
  readonly endedAt: Date | null;
  readonly user: { readonly status: string; readonly roles: readonly { readonly role: Role }[] };
}

const isLive = (row: SessionRow, now: Date): boolean =>
  row.endedAt === null && row.expiresAt > now && row.user.status === 'ACTIVE';

const toSession = ({ user, endedAt: _, ...row }: SessionRow): Session => ({
  ...row,
  roles: user.roles.map(({ role }) => role),
});

export const createSessionRepository = (database: Database): SessionRepository => ({
  async create({ refreshTokenHash, refreshTokenExpiresAt, amr, ...session }) {
    const row = await database.session.create({
      data: {
        ...session,
        id: uuidv7(),
        amr: [...amr],
        authTime: new Date(),
        refreshTokens: { create: { hash: refreshTokenHash, expiresAt: refreshTokenExpiresAt } },
      },
      select: SESSION_FIELDS,
    });
    return toSession(row);
  },

  rotate: ({ predecessor, successor, idleExpiresInMs, graceMs }) =>
    database.$transaction(async (transaction): Promise<RotationOutcome> => {
      const now = new Date();
      // Compare-and-swap: of all who hold the same token, one marks it used.
      const { count } = await transaction.refreshToken.updateMany({
        where: { hash: predecessor, rotatedAt: null, expiresAt: { gt: now } },
        data: { rotatedAt: now },
      });
      const token = await transaction.refreshToken.findUnique({
        where: { hash: predecessor },
        select: { rotatedAt: true, session: { select: SESSION_FIELDS } },
      });
      if (token?.rotatedAt == null || !isLive(token.session, now)) return { outcome: 'refused' };

      if (count === 0 && now.getTime() - token.rotatedAt.getTime() > graceMs) {
        await transaction.session.update({
          where: { id: token.session.id },
          data: { endedAt: now, endedBy: 'REFRESH_TOKEN_REUSED' },
        });
        return { outcome: 'reused', sessionId: token.session.id };
      }
      const idleExpiry = token.rotatedAt.getTime() + idleExpiresInMs;
      const successorExpiresAt = new Date(Math.min(idleExpiry, token.session.expiresAt.getTime()));
      if (count === 1) {
        await transaction.refreshToken.create({
          data: { hash: successor, sessionId: token.session.id, replaces: predecessor, expiresAt: successorExpiresAt },
        });
        await transaction.session.update({ where: { id: token.session.id }, data: { lastUsedAt: now } });
      }
      return { outcome: 'rotated', session: toSession(token.session), successorExpiresAt };
    }),

  async end(sessionId, userId, reason) {
    const { count } = await database.session.updateMany({
      where: { id: sessionId, userId, endedAt: null },
      data: { endedAt: new Date(), endedBy: reason },
    });
    return count === 1;
  },

  async endAll(userId, reason) {
    const { count } = await database.session.updateMany({
      where: { userId, endedAt: null },
      data: { endedAt: new Date(), endedBy: reason },
    });
    return count;
  },

  async findLive(sessionId) {
    const row = await database.session.findUnique({ where: { id: sessionId }, select: SESSION_FIELDS });
    return row !== null && isLive(row, new Date()) ? toSession(row) : undefined;
  },
});
