// `bulkhead lint --language-server`: findings in an editor while one types, over the Language Server Protocol on standard input and output.
import { readFileSync, statSync } from 'node:fs';
import { basename, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createConnection, MessageType, TextDocuments, TextDocumentSyncKind, type CodeAction, type Connection, type InitializeParams, type InitializeResult, type Range } from 'vscode-languageserver/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import type { Finding } from '../../base/finding.ts';
import { lintManifests, type ManifestText } from '../../lint/lint-manifests.ts';
import { applySettings, NO_SETTINGS } from '../../lint/settings/settings.ts';
import { diagnosticOf, overlaps, quickFixOf, uriOf } from './editor-findings.ts';
import { UsageError } from '../../terminal/failures.ts';
import { listInputs, MANIFEST_NAME } from '../../input/list-inputs.ts';
import { packageVersion } from '../package-version.ts';
import { SETTINGS_NAME } from '../../input/settings-file.ts';

/** Typing is waited out for so long. */
const PAUSE_MS = 100;
/** Longer for what takes longer. */
const FLOW_PAUSE_MS = 500;
/** Of all manifests together; beyond it only what is open is looked at. */
const TEXT_BYTES_MAX = 64 * 1024 * 1024;

export interface LanguageServerOptions {
  /** Files and folders that are one cluster; empty: the folder that the editor has open. */
  readonly words: readonly string[];
  /** Files of recorded flows. */
  readonly flows: readonly string[];
  readonly lint: Parameters<typeof lintManifests>[1];
}

/** Ends when the editor says so, or goes away. */
export async function serveLanguage(options: LanguageServerOptions): Promise<void> {
  const connection = createConnection(process.stdin, process.stdout);
  const session = new EditorSession(connection, options);
  session.listen();
  await new Promise<void>((end) => connection.onExit(end));
}

class EditorSession {
  private readonly connection: Connection;
  private readonly options: LanguageServerOptions;
  private readonly documents = new TextDocuments(TextDocument);
  /** What was last said of each file, by URI. */
  private shown = new Map<string, readonly Finding[]>();
  private words: readonly string[];
  private timer: NodeJS.Timeout | undefined;
  private flowTimer: NodeJS.Timeout | undefined;
  private refusals: readonly Finding[] = [];
  private complaint: string | undefined;

  constructor(connection: Connection, options: LanguageServerOptions) {
    this.connection = connection;
    this.options = options;
    this.words = options.words;
  }

  listen(): void {
    const { connection, documents } = this;
    connection.onInitialize((params) => this.initialize(params));
    connection.onCodeAction(({ textDocument, range }) => this.quickFixes(textDocument.uri, range));
    connection.onDidChangeWatchedFiles(() => this.lintSoon());
    documents.onDidChangeContent(() => this.lintSoon());
    documents.onDidClose(() => this.lintSoon());
    documents.listen(connection);
    connection.listen();
  }

  private initialize({ workspaceFolders, rootUri }: InitializeParams): InitializeResult {
    const folders = workspaceFolders?.map(({ uri }) => uri) ?? (rootUri === null ? [] : [rootUri]);
    if (this.words.length === 0) this.words = folders.filter(isFile).map((uri) => fileURLToPath(uri));
    return {
      capabilities: { textDocumentSync: TextDocumentSyncKind.Incremental, codeActionProvider: { codeActionKinds: ['quickfix'] } },
      serverInfo: { name: 'bulkhead', version: packageVersion() },
    };
  }

  private lintSoon(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.lint(), PAUSE_MS);
    if (this.options.flows.length === 0) return;
    clearTimeout(this.flowTimer);
    this.flowTimer = setTimeout(() => void this.showRefusals(), FLOW_PAUSE_MS);
  }

  /** Loaded when it is first needed: most have no flows. */
  private async showRefusals(): Promise<void> {
    const { editorFlowFindings } = await import('./editor-flows.ts');
    const { settings, ...options } = this.options.lint ?? {};
    this.refusals = applySettings(await editorFlowFindings(this.texts(), this.options.flows, options), settings ?? NO_SETTINGS);
    this.lint();
  }

  private lint(): void {
    const placed = [...lintManifests(this.texts(), this.options.lint), ...this.refusals].filter(({ file }) => file !== undefined);
    const byUri = Map.groupBy(placed, ({ file }) => uriOf(resolve(file!)));
    for (const uri of this.shown.keys()) if (!byUri.has(uri)) void this.connection.sendDiagnostics({ uri, diagnostics: [] });
    for (const [uri, findings] of byUri) void this.connection.sendDiagnostics({ uri, diagnostics: findings.map(diagnosticOf) });
    this.shown = byUri;
  }

  private quickFixes(uri: string, range: Range): CodeAction[] {
    const near = (this.shown.get(normalUri(uri)) ?? []).filter((finding) => overlaps(diagnosticOf(finding).range, range));
    return near.flatMap((finding) => quickFixOf(uri, finding) ?? []);
  }

  /** What is open counts as it stands in the editor, all else as it stands on disk. */
  private texts(): ManifestText[] {
    const open = new Map(this.documents.all().filter(({ uri }) => isManifest(uri)).map((document) => [nameOf(fileURLToPath(document.uri)), document.getText()]));
    return [...[...open].map(([name, text]) => ({ name, text })), ...this.savedTexts().filter(({ name }) => !open.has(name))];
  }

  private savedTexts(): readonly ManifestText[] {
    try {
      const paths = listInputs(this.words).map(({ name }) => name);
      const sizeBytes = paths.reduce((sum, path) => sum + statSync(path).size, 0);
      if (sizeBytes > TEXT_BYTES_MAX) throw new UsageError(`more than ${TEXT_BYTES_MAX / 1024 / 1024} MiB of manifests in this folder`);
      const texts = paths.map((path) => ({ name: nameOf(path), text: readFileSync(path, 'utf8') }));
      this.complaint = undefined;
      return texts;
    } catch (error) {
      // A folder changes under one's hands; whatever the system says, what is open is still looked at.
      this.complain(`only what is open is looked at: ${error instanceof Error ? error.message : String(error)}`);
      return [];
    }
  }

  /** Once, until it is mended. */
  private complain(message: string): void {
    if (message !== this.complaint) void this.connection.sendNotification('window/showMessage', { type: MessageType.Warning, message: `bulkhead: ${message}` });
    this.complaint = message;
  }
}

/** As the settings file names it: from the working directory, where it lies in that. */
function nameOf(path: string): string {
  const name = relative('', path);
  return name.startsWith(`..${sep}`) ? resolve(path) : name;
}

function isManifest(uri: string): boolean {
  return isFile(uri) && MANIFEST_NAME.test(uri) && basename(uri) !== SETTINGS_NAME;
}

function isFile(uri: string): boolean {
  return uri.startsWith('file:');
}

/** Editors escape signs of a path in different ways. */
function normalUri(uri: string): string {
  return isFile(uri) ? uriOf(fileURLToPath(uri)) : uri;
}
