// The reference of the likes benchmark: what a careful implementation without group commit does for
// each like, on the same tables. One READ COMMITTED transaction of prepared statements, in which the
// counter changes only if the like did; then the counters are written to Redis. It checks no token.
import 'reflect-metadata';
import { Controller, Delete, Get, Headers, Module, Param, Put } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Redis } from 'ioredis';
import { createPool } from 'mysql2/promise';

const { MYSQL_URL, REDIS_URL, PORT } = process.env;
const redis = new Redis(REDIS_URL);
const pool = createPool({ uri: MYSQL_URL, connectionLimit: 32, flags: ['-FOUND_ROWS'] });
pool.on('connection', (connection) => {
  connection.query('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED');
});

const LIKE = `INSERT INTO likes (uid, biz, biz_id, status, version, ctime, utime)
  VALUES (?, ?, ?, 1, 1, ?, ?)
  ON DUPLICATE KEY UPDATE version = version + (status <> 1),
    utime = IF(status <> 1, VALUES(utime), utime), status = 1`;
const UNLIKE = `UPDATE likes SET status = 2, version = version + 1, utime = ?
  WHERE uid = ? AND biz = ? AND biz_id = ? AND status = 1`;
const COUNT = `INSERT INTO interactives (biz, biz_id, like_cnt, version, ctime, utime)
  VALUES (?, ?, ?, 1, ?, ?)
  ON DUPLICATE KEY UPDATE like_cnt = like_cnt + VALUES(like_cnt), version = version + 1,
    utime = VALUES(utime)`;
const READ = `SELECT read_cnt, like_cnt, collect_cnt FROM interactives
  WHERE biz_id = ? AND biz = ?`;

async function transact(uid, biz, bizId, isLike) {
  const connection = await pool.getConnection();
  const now = Date.now();
  try {
    await connection.beginTransaction();
    const [{ affectedRows }] = isLike
      ? await connection.execute(LIKE, [uid, biz, bizId, now, now])
      : await connection.execute(UNLIKE, [now, uid, biz, bizId]);
    if (affectedRows > 0) await connection.execute(COUNT, [biz, bizId, isLike ? 1 : -1, now, now]);
    const [[row]] = await connection.execute(READ, [bizId, biz]);
    await connection.commit();
    return row;
  } catch (error) {
    await connection.rollback();
    throw error;
  } finally {
    connection.release();
  }
}

async function set(uid, biz, bizId, isLike) {
  for (let attempt = 1; ; attempt++) {
    try {
      const row = await transact(uid, biz, bizId, isLike);
      await redis.hset(`reference:{${biz}:${bizId}}`, row);
      return { biz, bizId, liked: isLike, likeCnt: row.like_cnt };
    } catch (error) {
      if ((error.errno !== 1213 && error.errno !== 1205) || attempt === 8) throw error;
    }
  }
}

class LikesController {
  like(uid, biz, bizId) {
    return set(Number(uid), biz, Number(bizId), true);
  }
  unlike(uid, biz, bizId) {
    return set(Number(uid), biz, Number(bizId), false);
  }
  ready() {
    return {};
  }
}
const decorate = (name, ...decorators) => {
  const descriptor = Object.getOwnPropertyDescriptor(LikesController.prototype, name);
  for (const decorator of decorators) decorator(LikesController.prototype, name, descriptor);
};
for (const [name, method] of [
  ['like', Put],
  ['unlike', Delete],
]) {
  decorate(name, method('api/interactive/:biz/:bizId/like'));
  Headers('x-user-id')(LikesController.prototype, name, 0);
  Param('biz')(LikesController.prototype, name, 1);
  Param('bizId')(LikesController.prototype, name, 2);
}
decorate('ready', Get('readyz'));
Controller()(LikesController);
class LikesModule {}
Module({ controllers: [LikesController] })(LikesModule);

const app = await NestFactory.create(LikesModule, new FastifyAdapter(), { logger: false });
app.enableShutdownHooks();
await app.listen(Number(PORT), '127.0.0.1');
