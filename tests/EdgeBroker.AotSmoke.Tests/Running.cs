using System.Diagnostics;
using System.Runtime.InteropServices;

namespace EdgeBroker.AotSmoke.Tests;

/// <summary>A process and all it says, waited for by condition. It does not outlive its test.</summary>
internal sealed partial class Running : IDisposable
{
    /// <summary>Generous: an emulated start on a busy machine. A test that passes never waits for it.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private const int SigTerm = 15;

    private readonly Process _process;
    private readonly Lock _gate = new();
    private readonly List<string> _lines = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Running(ProcessStartInfo start)
    {
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, e) => Add(e.Data);
        _process.ErrorDataReceived += (_, e) => Add(e.Data);
        _process.Start();
        _process.StandardInput.Close();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>Everything said so far, on either stream.</summary>
    public string Said
    {
        get
        {
            lock (_gate)
                return string.Join('\n', _lines);
        }
    }

    public static Running Program(string name, params string[] arguments)
    {
        var start = new ProcessStartInfo(name, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        return new Running(start);
    }

    /// <summary>The first line that fits, past or to come; fails when the process ends without it.</summary>
    public async Task<string> LineAsync(Predicate<string> fits)
    {
        using var deadline = new CancellationTokenSource(Patience);
        Task ended = _process.WaitForExitAsync(deadline.Token);
        while (true)
        {
            bool wasOver = ended.IsCompleted;
            Task changed;
            lock (_gate)
            {
                if (_lines.Find(fits) is { } line)
                    return line;
                changed = _changed.Task;
            }
            Assert.False(wasOver, $"The line did not come. The process said:\n{Said}");
            await Task.WhenAny(changed, ended);
        }
    }

    public async Task<int> ExitAsync(TimeSpan? within = null)
    {
        using var deadline = new CancellationTokenSource(within ?? Patience);
        try
        {
            await _process.WaitForExitAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"Still running after {within ?? Patience}. It said:\n{Said}");
        }
        return _process.ExitCode;
    }

    public void Terminate() => Assert.Equal(0, Kill(_process.Id, SigTerm));

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
        _process.Dispose();
    }

    private void Add(string? line)
    {
        if (line is null)
            return;
        TaskCompletionSource changed;
        lock (_gate)
        {
            _lines.Add(line);
            changed = _changed;
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        changed.SetResult();
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int pid, int signal);
}
