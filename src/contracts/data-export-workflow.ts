export const DATA_EXPORT_WORKFLOW = 'dataExport';
export const dataExportWorkflowId = (exportId: string): string => `data-export/${exportId}`;

/** Ids only: what it holds never enters Temporal. */
export interface DataExportInput {
  readonly exportId: string;
  readonly userId: string;
  /** It can be downloaded for so long, milliseconds. */
  readonly expiresInMs: number;
}
