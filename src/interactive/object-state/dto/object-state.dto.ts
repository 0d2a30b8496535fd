import { ApiProperty } from '@nestjs/swagger';
import { BIZ_SCHEMA, COUNT_SCHEMA, ID_SCHEMA } from '../../../platform/http';

/** The counters of an object, and whether the caller likes and has collected it. */
export class ObjectStateDto {
  @ApiProperty({ ...BIZ_SCHEMA, example: 'article' })
  biz!: string;

  @ApiProperty({ ...ID_SCHEMA, example: 42 })
  bizId!: number;

  @ApiProperty(COUNT_SCHEMA)
  readCnt!: number;

  @ApiProperty(COUNT_SCHEMA)
  likeCnt!: number;

  @ApiProperty(COUNT_SCHEMA)
  collectCnt!: number;

  @ApiProperty({ description: 'False for an anonymous caller' })
  liked!: boolean;

  @ApiProperty({ description: 'False for an anonymous caller' })
  collected!: boolean;
}

/** The states of several objects, in the order in which they were asked for. */
export class ObjectStatesDto {
  @ApiProperty({ type: [ObjectStateDto] })
  items!: ObjectStateDto[];
}
