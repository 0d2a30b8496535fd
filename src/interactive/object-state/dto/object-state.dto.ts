import { ApiProperty } from '@nestjs/swagger';

/** The counters of an object, and whether the caller likes and has collected it. */
export class ObjectStateDto {
  @ApiProperty({ example: 'article' })
  biz!: string;

  @ApiProperty({ type: 'integer', example: 42 })
  bizId!: number;

  @ApiProperty({ type: 'integer', minimum: 0 })
  readCnt!: number;

  @ApiProperty({ type: 'integer', minimum: 0 })
  likeCnt!: number;

  @ApiProperty({ type: 'integer', minimum: 0 })
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
