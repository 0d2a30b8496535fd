export * from './article-read.topic';
export * from './article.errors';
export * from './article.module';
export * from './article.service';
