import { Controller, Delete, Get, HttpCode, Patch, Post } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Auth, CurrentUser } from '../../platform/auth';
import {
  ApiProblem,
  CursorQuery,
  IdParam,
  JsonBody,
  type Page,
  QueryDto,
} from '../../platform/http';
import type { CollectedRow, Folder } from './collections.repository';
import { CollectionsService } from './collections.service';
import { CollectionNameRequest } from './dto/collection-name.request';
import { CollectionDto, CollectionPageDto, DeletedCollectionDto } from './dto/collection.dto';
import { CollectedObjectPageDto } from './dto/collected-object.dto';

@ApiTags('collections')
@Auth()
@Controller('api/collections')
export class CollectionsController {
  constructor(private readonly collections: CollectionsService) {}

  @Get()
  @ApiOperation({ summary: 'Your folders, oldest first' })
  @ApiOkResponse({ type: CollectionPageDto })
  @ApiProblem(400, '`VALIDATION_FAILED`, `INVALID_CURSOR`')
  list(@CurrentUser() uid: number, @QueryDto() query: CursorQuery): Promise<Page<Folder>> {
    return this.collections.list(uid, query);
  }

  @Post()
  @HttpCode(200)
  @ApiOperation({ summary: 'Make a folder' })
  @ApiOkResponse({ type: CollectionDto })
  @ApiProblem(400, '`VALIDATION_FAILED`')
  @ApiProblem(409, '`COLLECTION_NAME_TAKEN`')
  create(
    @CurrentUser() uid: number,
    @JsonBody() { name }: CollectionNameRequest,
  ): Promise<CollectionDto> {
    return this.collections.create(uid, name);
  }

  @Patch(':id')
  @ApiOperation({ summary: 'Rename a folder' })
  @ApiOkResponse({ type: CollectionDto })
  @ApiProblem(400, '`VALIDATION_FAILED`')
  @ApiProblem(404, '`COLLECTION_NOT_FOUND`')
  @ApiProblem(409, '`COLLECTION_NAME_TAKEN`')
  rename(
    @CurrentUser() uid: number,
    @IdParam() id: number,
    @JsonBody() { name }: CollectionNameRequest,
  ): Promise<CollectionDto> {
    return this.collections.rename(uid, id, name);
  }

  @Delete(':id')
  @ApiOperation({ summary: 'Delete a folder and un-collect what is in it' })
  @ApiOkResponse({ type: DeletedCollectionDto })
  @ApiProblem(404, '`COLLECTION_NOT_FOUND`')
  async delete(@CurrentUser() uid: number, @IdParam() id: number): Promise<DeletedCollectionDto> {
    await this.collections.delete(uid, id);
    return { id, deleted: true };
  }

  @Get(':id/items')
  @ApiOperation({ summary: 'What is in a folder, newest first' })
  @ApiOkResponse({ type: CollectedObjectPageDto })
  @ApiProblem(400, '`VALIDATION_FAILED`, `INVALID_CURSOR`')
  @ApiProblem(404, '`COLLECTION_NOT_FOUND`')
  items(
    @CurrentUser() uid: number,
    @IdParam() id: number,
    @QueryDto() query: CursorQuery,
  ): Promise<Page<CollectedRow>> {
    return this.collections.items(uid, id, query);
  }
}
