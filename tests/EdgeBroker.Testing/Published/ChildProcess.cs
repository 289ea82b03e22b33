using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace EdgeBroker.Testing.Published;

/// <summary>A process and all it says, waited for by condition. It does not outlive its test.</summary>
public sealed partial class ChildProcess : IDisposable
{
    /// <summary>Generous: an emulated start on a busy machine. A test that passes never waits for it.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromMinutes(2);

    private const int SigTerm = 15;

    private readonly Process _process;
    private readonly Lock _lock = new();
    private readonly List<string> _lines = [];
    private readonly List<string> _untaken = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <param name="start">What to start; its three streams are redirected.</param>
    /// <param name="keepsInput">Whether <see cref="Say"/> will be used; otherwise the process finds the end of its input at once.</param>
    public ChildProcess(ProcessStartInfo start, bool keepsInput = false)
    {
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        start.StandardInputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, e) => Add(e.Data);
        _process.ErrorDataReceived += (_, e) => Add(e.Data);
        _process.Start();
        if (!keepsInput) _process.StandardInput.Close();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>Whether it has ended.</summary>
    public bool HasEnded => _process.HasExited;

    /// <summary>Its process number.</summary>
    public int Id => _process.Id;

    /// <summary>Everything said so far, on either stream.</summary>
    public string Said
    {
        get
        {
            lock (_lock) return string.Join('\n', _lines);
        }
    }

    /// <summary>Starts a program found on the PATH.</summary>
    public static ChildProcess Program(string name, params string[] arguments) => new(new ProcessStartInfo(name, arguments));

    /// <summary>Writes a line to the process's input.</summary>
    public void Say(string line)
    {
        _process.StandardInput.Write(line + "\n");
        _process.StandardInput.Flush();
    }

    /// <summary>Lets the process find the end of its input.</summary>
    public void EndInput() => _process.StandardInput.Close();

    /// <summary>The first line that fits, past or to come; fails when the process ends without it.</summary>
    public Task<string> LineAsync(Predicate<string> fits) => FindAsync(fits, take: false);

    /// <summary>As <see cref="LineAsync"/>, each line only once: the next call gets the next that fits.</summary>
    public Task<string> TakeLineAsync(Predicate<string> fits) => FindAsync(fits, take: true);

    /// <summary>Waits for the process to end and returns its exit code.</summary>
    public async Task<int> ExitAsync(TimeSpan? within = null)
    {
        using var deadline = new CancellationTokenSource(within ?? Timeout);
        try
        {
            await _process.WaitForExitAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"Still running after {within ?? Timeout}. It said:\n{Excerpt(Said)}");
        }

        return _process.ExitCode;
    }

    /// <summary>Asks the process to end (SIGTERM).</summary>
    public void Terminate()
    {
        if (Kill(_process.Id, SigTerm) != 0) throw new InvalidOperationException($"SIGTERM: error {Marshal.GetLastPInvokeError()}");
    }

    /// <summary>Ends the process, and what it started, without asking (SIGKILL).</summary>
    public void Kill()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Kill();
        _process.Dispose();
    }

    private async Task<string> FindAsync(Predicate<string> fits, bool take)
    {
        using var deadline = new CancellationTokenSource(Timeout);
        Task ended = _process.WaitForExitAsync(deadline.Token);
        while (true)
        {
            bool wasOver = ended.IsCompleted;
            Task changed;
            lock (_lock)
            {
                List<string> lines = take ? _untaken : _lines;
                int found = lines.FindIndex(fits);
                if (found >= 0)
                {
                    string line = lines[found];
                    if (take) lines.RemoveAt(found);
                    return line;
                }

                changed = _changed.Task;
            }

            if (wasOver) throw new InvalidOperationException($"The line did not come. The process said:\n{Excerpt(Said)}");
            await Task.WhenAny(changed, ended);
        }
    }

    // Some say megabytes.
    private static string Excerpt(string said) => said.Length <= 8192 ? said : string.Concat(said.AsSpan(0, 4096), "\n...\n", said.AsSpan(said.Length - 4096));

    private void Add(string? line)
    {
        if (line is null) return;
        TaskCompletionSource changed;
        lock (_lock)
        {
            _lines.Add(line);
            _untaken.Add(line);
            changed = _changed;
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        changed.SetResult();
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int pid, int signal);
}
