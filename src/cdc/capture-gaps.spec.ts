import { Logger } from '@nestjs/common';
import { binlogTopic } from './binlog.topic';
import { CaptureGaps } from './capture-gaps';

describe('CaptureGaps', () => {
  let gaps: CaptureGaps;
  let announced: { reason: string; at: number }[];

  beforeEach(() => {
    Logger.overrideLogger(false);
    jest.useFakeTimers();
    gaps = new CaptureGaps();
    announced = [];
    const start = performance.now();
    gaps.gaps$.subscribe(({ reason }) =>
      announced.push({ reason, at: Math.round(performance.now() - start) }),
    );
  });

  afterEach(() => {
    gaps.onModuleDestroy();
    jest.useRealTimers();
  });

  it('announces a gap once it has settled', () => {
    gaps.report('a purge');
    expect(announced).toEqual([]);
    jest.runAllTimers();
    expect(announced).toEqual([{ reason: 'a purge', at: 300 }]);
  });

  it('announces a storm once in five seconds, and what came last too', () => {
    for (let i = 0; i < 120; i++) {
      gaps.report(`change ${i}`);
      jest.advanceTimersByTime(100);
    }
    jest.runAllTimers();
    expect(announced).toEqual([
      { reason: 'change 0 (and 2 more)', at: 300 },
      { reason: 'change 3 (and 49 more)', at: 5_300 },
      { reason: 'change 53 (and 49 more)', at: 10_300 },
      { reason: 'change 103 (and 16 more)', at: 15_300 },
    ]);
  });

  it('announces at once again after a while', () => {
    gaps.report('one');
    jest.advanceTimersByTime(60_000);
    gaps.report('two');
    jest.advanceTimersByTime(300);
    expect(announced.map(({ at }) => at)).toEqual([300, 60_300]);
  });

  it('reports a message that cannot be decoded: its changes are missing', () => {
    expect(() => binlogTopic.decode(Buffer.from('hello'))).toThrow();
    jest.runAllTimers();
    expect(announced[0]!.reason).toMatch(/^a message of change capture is unreadable: .*protobuf/);
  });
});
