import type { Answer } from './answer';
import type { Program } from './program';

export interface ObjectState {
  biz: string;
  bizId: number;
  readCnt: number;
  likeCnt: number;
  collectCnt: number;
  liked: boolean;
  collected: boolean;
}

export interface Problem {
  status: number;
  code: string;
  errors?: { field: string; message: string }[];
}

export interface Folder {
  id: number;
  name: string;
  itemCount: number;
}

export interface PageOf<T> {
  items: T[];
  nextCursor: string | null;
}

/** A signed-in user of a program that likes and collects objects of one kind. */
export class MarkUser {
  private constructor(
    private readonly program: Program,
    readonly id: number,
    private readonly token: string,
    private readonly biz: string,
  ) {}

  static async of(program: Program, id: number, biz = 'video'): Promise<MarkUser> {
    return new MarkUser(program, id, await program.token(id), biz);
  }

  like(bizId: number): Promise<Answer<ObjectState>> {
    return this.request('PUT', `${this.path(bizId)}/like`);
  }

  unlike(bizId: number): Promise<Answer<ObjectState>> {
    return this.request('DELETE', `${this.path(bizId)}/like`);
  }

  /** Without `collectionId`, into the default folder. */
  collect(bizId: number, collectionId?: number): Promise<Answer<ObjectState>> {
    return this.request('PUT', `${this.path(bizId)}/collection`, { collectionId });
  }

  uncollect(bizId: number): Promise<Answer<ObjectState>> {
    return this.request('DELETE', `${this.path(bizId)}/collection`);
  }

  async state(bizId: number): Promise<ObjectState> {
    return (await this.expect<ObjectState>('GET', this.path(bizId))).body;
  }

  /** The objects' states, in the order of `bizIds`. */
  async states(bizIds: readonly number[]): Promise<ObjectState[]> {
    const objects = bizIds.map((bizId) => ({ biz: this.biz, bizId }));
    const { body } = await this.expect<PageOf<ObjectState>>('POST', '/api/interactive/query', {
      objects,
    });
    return body.items;
  }

  async createFolder(name: string): Promise<Folder> {
    return (await this.expect<Folder>('POST', '/api/collections', { name })).body;
  }

  folders(): Promise<Folder[]> {
    return this.all<Folder>('/api/collections');
  }

  /** The ids of the folder's items, newest first. */
  async itemsOf(folderId: number): Promise<number[]> {
    const items = await this.all<{ bizId: number }>(`/api/collections/${folderId}/items`);
    return items.map(({ bizId }) => bizId);
  }

  /** Every item of a list, read page by page. */
  async all<T>(path: string, limit = 100): Promise<T[]> {
    const items: T[] = [];
    let cursor: string | null = null;
    do {
      const separator = path.includes('?') ? '&' : '?';
      const page: Answer<PageOf<T>> = await this.expect<PageOf<T>>(
        'GET',
        `${path}${separator}limit=${limit}${cursor ? `&cursor=${cursor}` : ''}`,
      );
      items.push(...page.body.items);
      cursor = page.body.nextCursor;
    } while (cursor !== null);
    return items;
  }

  request<T>(method: string, path: string, body?: unknown): Promise<Answer<T>> {
    return this.program.request<T>(method, path, body, { token: this.token });
  }

  /** @throws unless it answers 200 */
  private async expect<T>(method: string, path: string, body?: unknown): Promise<Answer<T>> {
    const answer = await this.request<T>(method, path, body);
    if (answer.status !== 200)
      throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer;
  }

  private path(bizId: number): string {
    return `/api/interactive/${this.biz}/${bizId}`;
  }
}
