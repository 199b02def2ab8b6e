import { v5 as uuidv5, v7 as uuidv7 } from 'uuid';

import type { RequestOrigin } from '../contracts/audit';
import type { Caller } from '../contracts/caller';
import type { ExportContent, ExportResponse } from '../contracts/data-export';
import { AppError } from '../contracts/errors';
import type { DataExportRepository, FoundExport } from '../repositories/data-export-repository';
import type { WorkflowStarter } from '../temporal/workflow-starter';

import type { RequestContext } from './contact-changes';
import type { ProveOwner } from './owner-proof';

interface Dependencies {
  readonly exports: Pick<DataExportRepository, 'create' | 'find' | 'read'>;
  readonly proveOwner: ProveOwner;
  readonly starter: Pick<WorkflowStarter, 'startExport'>;
  readonly expiresInMs: number;
}

/** Copies of all that is held about a person, for that person. All throw those of `ProveOwner` but `find`. */
export interface DataExports {
  /** One that is being made is given again. @throws {AppError} `export_limit_reached`, `invalid_token`, `service_unavailable` */
  request(caller: Caller, context: RequestContext): Promise<ExportResponse>;
  /** @throws {AppError} `export_not_found` */
  find(caller: Caller, exportId: string): Promise<ExportResponse>;
  /** @throws {AppError} `export_not_found`, `export_not_ready`, `export_expired` */
  download(caller: Caller, exportId: string, origin: RequestOrigin): Promise<ExportContent>;
}

/** Of the ids of exports that follow from a repetition id (RFC 9562, section 6.6). */
const EXPORT_NAMESPACE = 'c3a5f0f6-2d0a-4d0e-9a43-7f2f3b1c9d11';

const toResponse = ({ id, status, requestedAt, expiresAt }: FoundExport): ExportResponse => {
  const isOver = status === 'READY' && expiresAt !== null && expiresAt <= new Date();
  return {
    exportId: id,
    status: isOver ? 'expired' : (status.toLowerCase() as ExportResponse['status']),
    requestedAt: requestedAt.toISOString(),
    expiresAt: expiresAt?.toISOString() ?? null,
  };
};

export const createDataExports = ({ exports, proveOwner, starter, expiresInMs }: Dependencies): DataExports => {
  const find = async ({ userId }: Caller, exportId: string): Promise<ExportResponse> => {
    const found = await exports.find({ exportId, userId });
    if (found === undefined) throw new AppError('export_not_found');
    return toResponse(found);
  };

  return {
    find,

    async request(caller, { origin, repetitionId }) {
      await proveOwner(caller);
      const { userId } = caller;
      const exportId = repetitionId === undefined ? uuidv7() : uuidv5(repetitionId, EXPORT_NAMESPACE);
      const result = await exports.create({ exportId, userId }, origin);
      if (result === 'limit_reached') throw new AppError('export_limit_reached', { retryAfterSeconds: 24 * 3_600 });
      if (result === 'closed') throw new AppError('invalid_token');
      // Also for one that is stored already: its workflow may never have been started.
      if (result.status === 'PENDING') await starter.startExport({ exportId: result.id, userId, expiresInMs });
      return toResponse(result);
    },

    async download(caller, exportId, origin) {
      await proveOwner(caller);
      const content = await exports.read({ exportId, userId: caller.userId }, origin);
      if (content !== undefined) return content;
      const { status } = await find(caller, exportId);
      throw new AppError(status === 'pending' ? 'export_not_ready' : 'export_expired');
    },
  };
};
