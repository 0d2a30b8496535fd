import { byObject, keyOfObject, type ObjectRef } from '../../platform/business-object';
import { byMarkKey, keyOfMark, type MarkKey } from '../model/mark';

export interface LikeOperation extends MarkKey {
  readonly kind: 'like';
  readonly on: boolean;
}

/** Puts the object into a folder of the user, or moves it there from another one. */
export interface CollectOperation extends MarkKey {
  readonly kind: 'collect';
  readonly on: true;
  readonly collectionId: number;
}

/** Takes the object out of its folder; with `onlyFrom`, only if it is in that one. */
export interface UncollectOperation extends MarkKey {
  readonly kind: 'collect';
  readonly on: false;
  readonly onlyFrom?: number;
}

export type MarkOperation = LikeOperation | CollectOperation | UncollectOperation;

export const keyOfFolder = (uid: number, collectionId: number): string => `${uid}:${collectionId}`;

/** Names of all rows that an operation locks. */
export function locksOf(operation: MarkOperation): string[] {
  const names = [keyOfMark(operation), keyOfObject(operation)];
  if (operation.kind === 'collect' && operation.on)
    names.push(keyOfFolder(operation.uid, operation.collectionId));
  return names;
}

/** The operations' distinct marks, in the order in which they are locked. */
export function marksOf(operations: readonly MarkOperation[]): MarkKey[] {
  const marks = new Map<string, MarkKey>();
  for (const { uid, biz, bizId } of operations) {
    const mark = { uid, biz, bizId };
    marks.set(keyOfMark(mark), mark);
  }
  return [...marks.values()].sort(byMarkKey);
}

/** The operations' distinct objects, in the order in which their counters are locked. */
export function objectsOf(operations: readonly MarkOperation[]): ObjectRef[] {
  const objects = new Map<string, ObjectRef>();
  for (const { biz, bizId } of operations) {
    const object = { biz, bizId };
    objects.set(keyOfObject(object), object);
  }
  return [...objects.values()].sort(byObject);
}

/** The ids of the folders that the operations collect into, in the order in which they are locked. */
export function foldersOf(operations: readonly MarkOperation[]): number[] {
  const ids = new Set<number>();
  for (const operation of operations)
    if (operation.kind === 'collect' && operation.on) ids.add(operation.collectionId);
  return [...ids].sort((a, b) => a - b);
}
